"""Videos: upload, probe, publish, convert, package; what others may call."""

from reelm.videos.avatars import store_avatar
from reelm.videos.delete import delete_video, erase_videos
from reelm.videos.draft import (
    AUDIENCES,
    MAX_CAPTION,
    Audience,
    Caption,
    Draft,
    Language,
)
from reelm.videos.edit import delete_captions, edit, put_captions
from reelm.videos.events import VideoDeleted, VideoFailed, VideoReady
from reelm.videos.hashtags import hashtags
from reelm.videos.import_ import import_file
from reelm.videos.media_sources import MediaSource, media_sources
from reelm.videos.queries import (
    MAX_VIEWS,
    RenditionView,
    VideoView,
    load_view,
    load_views,
    own_video_ids,
)
from reelm.videos.receive import (
    CHECKSUMS,
    Arrival,
    Checksum,
    Locked,
    Received,
    WrongChecksum,
    begin,
)
from reelm.videos.sweep import sweep
from reelm.videos.upload import (
    UploadView,
    create,
    discard_file,
    look,
    open_uploads,
    quota_left,
    terminate,
)

__all__ = [
    "AUDIENCES",
    "CHECKSUMS",
    "MAX_CAPTION",
    "MAX_VIEWS",
    "Arrival",
    "Audience",
    "Caption",
    "Checksum",
    "Draft",
    "Language",
    "Locked",
    "MediaSource",
    "Received",
    "RenditionView",
    "UploadView",
    "VideoDeleted",
    "VideoFailed",
    "VideoReady",
    "VideoView",
    "WrongChecksum",
    "begin",
    "create",
    "delete_captions",
    "delete_video",
    "discard_file",
    "edit",
    "erase_videos",
    "hashtags",
    "import_file",
    "load_view",
    "load_views",
    "look",
    "media_sources",
    "open_uploads",
    "own_video_ids",
    "put_captions",
    "quota_left",
    "store_avatar",
    "sweep",
    "terminate",
]
