# Strategy lab.
lab-title = Strategy lab
