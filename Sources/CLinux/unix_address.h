// Addresses of unix sockets, for the files of this module.
#ifndef UNIX_ADDRESS_H
#define UNIX_ADDRESS_H

#include <sys/un.h>

struct unix_address {
    struct sockaddr_un sun;
    int directory;  // must stay open while the address is used, -1 when it is not needed
};

/// The address of `path`, however long that is. 0 or `-errno`. What it holds open is released by the other.
int clinux_make_address(const char *path, struct unix_address *address);
void clinux_release_address(struct unix_address *address);

#endif
