# Admin.
admin-title = Admin
