"""Client of the Model Context Protocol, through the rules of outbound calls."""
