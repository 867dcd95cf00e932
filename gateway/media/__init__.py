"""Files for MMS: judged, fetched from where they are, staged where AWS can read them."""
