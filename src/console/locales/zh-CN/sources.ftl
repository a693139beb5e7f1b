# 事件来源，位于运行页面。
sources-title = 事件来源状况
sources-objective = 每个来源的事件应有 { $target } 被接收，且不晚于发生后 { $late }。
sources-error = 延迟误差不超过 { $error }。自启动起在内存中统计。
sources-none = 启动以来尚无来源上报事件。
sources-source = 来源
sources-kind = 事件
sources-last = 最近上报
sources-ago = { $span }前
sources-window = 时段
sources-5m = 5 分钟
sources-1h = 1 小时
sources-24h = 24 小时
sources-told = 上报
sources-delay = 延迟（99 %）
sources-refused = 拒绝率
sources-repeated = 重试
sources-late = 迟到
sources-burn = 预算消耗
sources-other = 其他来源
sources-unnamed = 无渠道
sources-more = { $n ->
   *[other] 另有 { $n } 行仅见于监控指标。
}
sources-burns = { $source } 的“{ $kind }”事件被拒或迟到过多。
sources-burns-do = 请检查该来源发送的内容；拒绝原因见其应答与监控指标。
fact-score_order = 待评估订单
fact-stock_level = 库存
fact-market_price = 市场价格
fact-choice = 处置选择
fact-outcome = 后续结果
fact-unreadable = 无内容
