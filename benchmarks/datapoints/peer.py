"""The earlier system's data manager on its in-memory store, as it ships: peer.py PORT FOLDER."""

import sys

from madsci.common.db_handlers.document_storage_handler import InMemoryDocumentStorageHandler
from madsci.common.types.datapoint_types import DataManagerSettings
from madsci.data_manager.data_server import DataManager

port, folder = sys.argv[1:]
settings = DataManagerSettings(
    server_url=f"http://127.0.0.1:{port}/", file_storage_path=folder, enable_registry_resolution=False, manager_name="Peer"
)
DataManager(settings=settings, document_handler=InMemoryDocumentStorageHandler()).run_server(access_log=False)
