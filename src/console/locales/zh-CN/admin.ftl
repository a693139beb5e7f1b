# 管理。
admin-title = 管理
