/* notify.h - tell a service manager how we are: systemd's protocol, which is one datagram. */
#ifndef MUN_MAIN_NOTIFY_H
#define MUN_MAIN_NOTIFY_H

/* "READY=1", "STOPPING=1", "STATUS=..." to the socket that NOTIFY_SOCKET names; nothing when there
 * is none. */
void notify(const char *state);

#endif
