"""`python -m pipeline run DIR`: see `pipeline.cli`."""

from pipeline.cli import main

raise SystemExit(main())
