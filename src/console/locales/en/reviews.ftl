# Reviews.
reviews-title = Reviews
