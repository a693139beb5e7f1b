# 帮助。
help-title = 帮助
