"""Extraction on a cluster: Ray Data passes clips to workers, and their rows come back in the clips' order.

Install ``byola-hear[ray]`` here and on every node. Every node must see the files under the same paths, as on a shared
file system. Nothing else is shared: the network is sent to the workers, and the table is written here.

If a worker or a node dies, the clips whose rows had not arrived are embedded again by new workers, on the nodes that
are left; rows that had arrived are not repeated. If a clip kills every worker that reads it, the extraction ends with
an error. What was written before stays, and the next run continues from there.

A batch system such as Slurm needs no cluster. ``--shard I/N`` gives each task of an array its own share of the clips,
which is the same on every machine, and its own table::

    #SBATCH --array=0-15
    byola-hear embed /data/sounds --shard $SLURM_ARRAY_TASK_ID/16 -o table-$SLURM_ARRAY_TASK_ID.parquet

Submit a task that was stopped again, and it continues. Programs that read folders of Parquet files take the tables in a
folder for one data set.
"""

from byola_hear.ray.events import ClusterError
from byola_hear.ray.extraction import extract_on_ray

__all__ = ["ClusterError", "extract_on_ray"]
