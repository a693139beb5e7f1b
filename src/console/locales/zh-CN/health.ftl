# 运行状况。
health-title = 运行状况
