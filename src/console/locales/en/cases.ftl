# Closed cases.
cases-title = Closed cases
