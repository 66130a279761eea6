"""HTML as Markdown: without scripts and styles, with links and tables."""
