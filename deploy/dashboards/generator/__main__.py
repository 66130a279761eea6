"""Write the dashboards: `python -m deploy.dashboards.generator`."""

from pathlib import Path

from deploy.dashboards.generator.files import write

if __name__ == "__main__":
    write(Path(__file__).parents[1])
