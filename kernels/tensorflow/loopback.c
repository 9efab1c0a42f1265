// Loaded before Node (LD_PRELOAD) by `sidlab local`: a socket that would listen on every interface listens on 127.0.0.1
// alone. TensorFlow's server has no option for it, authenticates nobody and executes what it is sent.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*Bind)(int, const struct sockaddr*, socklen_t);

int bind(int socket, const struct sockaddr* address, socklen_t length) {
  static Bind real;
  if (real == NULL) real = (Bind)dlsym(RTLD_NEXT, "bind");
  if (address != NULL && address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
    struct sockaddr_in four;
    memcpy(&four, address, sizeof(four));
    if (four.sin_addr.s_addr == htonl(INADDR_ANY)) {
      four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      return real(socket, (struct sockaddr*)&four, sizeof(four));
    }
  }
  if (address != NULL && address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
    struct sockaddr_in6 six;
    memcpy(&six, address, sizeof(six));
    if (memcmp(&six.sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0) {
      // A socket for both families gets the address of the old one, so that 127.0.0.1 finds it.
      int six_only = 0;
      socklen_t size = sizeof(six_only);
      getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &six_only, &size);
      six.sin6_addr = in6addr_loopback;
      if (!six_only) {
        memset(&six.sin6_addr, 0, sizeof(six.sin6_addr));
        six.sin6_addr.s6_addr[10] = six.sin6_addr.s6_addr[11] = 0xff;
        six.sin6_addr.s6_addr[12] = 127;
        six.sin6_addr.s6_addr[15] = 1;
      }
      return real(socket, (struct sockaddr*)&six, sizeof(six));
    }
  }
  return real(socket, address, length);
}
