"""The page behind a link to an approval, for people without an account."""
