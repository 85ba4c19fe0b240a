"""What tables say of a study. ``facts`` has the rows as plain values, ``tables`` makes Arrow tables of them."""
