# 图谱。
graph-title = 图谱
