"""The words chartlift is written in: frozen values, standard library only, no input or output."""
