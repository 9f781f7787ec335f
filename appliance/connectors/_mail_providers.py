"""Servers of well-known mail providers, by the domain of an address, and what each wants before it lets a program in.

Source: the providers' own help pages on IMAP settings.
"""

_APP = "it wants an app password and not your usual one: "
_GOOGLE = _APP + "make one at https://myaccount.google.com/apppasswords"
_APPLE = _APP + "make one at https://account.apple.com, App-Specific Passwords"
_YAHOO = _APP + "make one on your account's page, under Security"
_FASTMAIL = _APP + "make one under Settings, Privacy & Security"
_SWITCHED_ON = "IMAP has to be switched on in its settings on the web, under POP3 & IMAP"
_MICROSOFT = (
    "it takes no passwords from programs any more: have messages forwarded to another mailbox, and give that one"
)

SERVERS = {
    "gmail.com": "imap.gmail.com",
    "googlemail.com": "imap.gmail.com",
    "icloud.com": "imap.mail.me.com",
    "me.com": "imap.mail.me.com",
    "mac.com": "imap.mail.me.com",
    "yahoo.com": "imap.mail.yahoo.com",
    "yahoo.co.uk": "imap.mail.yahoo.com",
    "yahoo.fr": "imap.mail.yahoo.com",
    "yahoo.de": "imap.mail.yahoo.com",
    "aol.com": "imap.aol.com",
    "fastmail.com": "imap.fastmail.com",
    "fastmail.fm": "imap.fastmail.com",
    "outlook.com": "outlook.office365.com",
    "hotmail.com": "outlook.office365.com",
    "hotmail.co.uk": "outlook.office365.com",
    "live.com": "outlook.office365.com",
    "gmx.de": "imap.gmx.net",
    "gmx.net": "imap.gmx.net",
    "gmx.at": "imap.gmx.net",
    "gmx.ch": "imap.gmx.net",
    "gmx.com": "imap.gmx.com",
    "web.de": "imap.web.de",
    "t-online.de": "secureimap.t-online.de",
    "posteo.de": "posteo.de",
    "mailbox.org": "imap.mailbox.org",
    "btinternet.com": "mail.btinternet.com",
    "orange.fr": "imap.orange.fr",
    "free.fr": "imap.free.fr",
    "laposte.net": "imap.laposte.net",
}

WANTS = {
    "imap.gmail.com": _GOOGLE,
    "imap.mail.me.com": _APPLE,
    "imap.mail.yahoo.com": _YAHOO,
    "imap.aol.com": _YAHOO,
    "imap.fastmail.com": _FASTMAIL,
    "outlook.office365.com": _MICROSOFT,
    "imap.gmx.net": _SWITCHED_ON,
    "imap.gmx.com": _SWITCHED_ON,
    "imap.web.de": _SWITCHED_ON,
    "secureimap.t-online.de": "it wants the password for email programs, which is made in its customer centre",
}


def server(user: str) -> str:
    """The server of a mail address, "" where it is not known."""
    return SERVERS.get(user.rpartition("@")[2].strip().lower(), "")
