# 模型。
models-title = 模型
