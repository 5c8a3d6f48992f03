"""A real kdb+ behind the `Engine` protocol: as a process of our own for every Program, or as a server that runs.

    programs.py          the q that loads a Program and calls its function, and what comes back as results
    streaming.py         jobs through a number of workers, results as they come
    own_process.py       a process of our own with a q in it: start, output, limits, end
    process.py           the q of kdb+ as one, on a loopback port
    licence.py           what a q that does not start says of its licence, in sentences
    process_engine.py    `kdb_process`
    server_engine.py     `kdb_ipc`
    pykx_engine.py       `pykx`
    pykx_host.py         what runs in the Python that has PyKX
    launch.py            what a q process runs through, so that it ends with us

Values travel over kdb+ IPC, never as text. That q cannot be used is EngineUnavailable, never a result.
Importing the package loads nothing.
"""
