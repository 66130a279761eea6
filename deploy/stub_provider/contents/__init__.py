"""Made-up contents of answers: texts, JSON, pictures, sounds and videos."""
