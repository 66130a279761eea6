"""Work on the store for `headrace up`, in processes of their own."""
