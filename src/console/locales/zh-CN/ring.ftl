# 团伙。
ring-title = 等待中的关联订单
ring-around = 关联订单：
ring-empty = 没有其他等待中的订单与本单共用账户、设备、电话、邮箱、支付工具或收货地址。
ring-all = 全部关联订单
ring-tick = 勾选
ring-shared = 共用
ring-placed = 下单时间（UTC）
ring-action = 对勾选的订单
ring-act = 批量处置
ring-hint = 每单记录一次选择，可分别撤销。极多人共用的实体（如快递柜）不作为关联。
