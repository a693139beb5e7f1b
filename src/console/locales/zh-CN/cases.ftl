# 已结案例。
cases-title = 已结案例
