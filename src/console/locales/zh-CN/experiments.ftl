# 实验。
experiments-title = 实验
