"""A real kdb+ behind the `Engine` protocol: as a process of our own for every Program, or as a server that runs.

    programs.py          the q that loads a Program and calls its function, and what comes back as results
    streaming.py         jobs through a number of workers, results as they come
    process.py           one q process on a loopback port: start, licence, output, end
    licence.py           what a q that does not start says of its licence, in sentences
    process_engine.py    `kdb_process`
    server_engine.py     `kdb_ipc`
    launch.py            what a q process runs through, so that it ends with us

Values travel over kdb+ IPC, never as text. That q cannot be used is EngineUnavailable, never a result.
Importing the package loads nothing.
"""
