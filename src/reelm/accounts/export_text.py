"""The words that come with an export."""

README = """Everything that this service holds of your account.

account.json   one list of rows for each table that names you: profile, birth date, sessions,
               terms you accepted, follows, blocks, likes, comments, videos, what you were shown
               and how long you watched (signal), what you set for the feed and what you hid
               from it, reports you sent. Sealed fields are opened.
feed-model.json   all that the model behind the feed holds of you: what you chose, what you lean
               to, what it has shown you and still waits for. It is learned from the rows of
               account.json and goes with them.
videos/        each of your videos in its best rendition, ID.mp4, and its captions,
               ID.LANGUAGE.vtt. The files as you uploaded them are not kept by the service.
avatar.jpg     your picture, if you have one.

Left out are secrets by which the service checks or seals things (the hashes of your password,
recovery codes and session tokens, and the wrapped key of your account), and what others did in
private, such as who blocked you.

Ids are decimal numbers written as text. Times are in UTC.
"""
