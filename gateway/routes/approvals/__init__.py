"""Routes of approvals: for their account, and for whoever has the link of one."""
