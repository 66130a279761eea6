"""Routes of approvals: for their account, and for holders of their links."""
