# Rings.
ring-title = Linked orders that wait
ring-around = The ring around
ring-empty = No other waiting order shares an account, device, phone, e-mail, payment instrument or address with this one.
ring-all = all linked orders
ring-tick = Ticked
ring-shared = Shares
ring-placed = Placed (UTC)
ring-action = For all that are ticked
ring-act = Act on the ring
ring-hint = One choice per order, each can be undone by itself. What a great many share, such as a parcel shop, links nobody.
