# 策略实验室。
lab-title = 策略实验室
