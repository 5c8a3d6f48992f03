"""Problems, their TestCases and Solutions: storing, importing, browsing."""
