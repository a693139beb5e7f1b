# 决策的第二、三层。
why-title = 依据
