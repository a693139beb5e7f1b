# 审核情况。
reviews-title = 审核情况
