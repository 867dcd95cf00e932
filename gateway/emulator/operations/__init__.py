"""The actions of the service, one file per resource."""
