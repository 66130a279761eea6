"""The routes of the API: a folder for each subject, a module for each resource."""
