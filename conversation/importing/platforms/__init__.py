"""The platforms whose records are understood: one file each, all of them named in `known`."""
