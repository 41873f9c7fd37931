"""Where the files of these tests would stand."""

from pathlib import Path

SOURCE = Path("/srv/project/environment.yaml")
