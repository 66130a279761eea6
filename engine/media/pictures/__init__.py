"""Small pictures of media: thumbnails of images, and pages of PDFs."""
