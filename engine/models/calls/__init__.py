"""Call of a model as its manifest defines it: requests, answers, jobs and their checks."""
