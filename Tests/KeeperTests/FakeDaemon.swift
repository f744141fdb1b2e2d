/// A hearthd for tests, in Python: it follows HOME/plan, a list of words, and tells HOME/told what it sees.
///
/// A plan may differ by start: HOME/plan.2 is for the second one. Each line told begins with the number of the start.
enum FakeDaemon {
    static let script = #"""
        #!/usr/bin/env python3
        import array, fcntl, os, resource, select, signal, socket, struct, sys, time
        home = sys.argv[sys.argv.index('--home') + 1]
        HELLO, WELCOME, DEPOSIT, DROP, LIST, ITEM, END, EXITS, EXIT = range(1, 10)
        ACK, NACK, PING, PONG, READY, STAND_DOWN, REFUSED = 10, 11, 12, 13, 14, 15, 17
        FORM = '<IIIIIIQQQ'
        SIZE = struct.calcsize(FORM)

        directory = os.open(home, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(75)
        with open(home + '/starts', 'a+') as starts:
            starts.seek(0)
            number = len(starts.readlines()) + 1
            starts.write('%d\n' % os.getpid())
        log = os.open(home + '/told', os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        def tell(*words):
            os.write(log, (' '.join([str(number)] + [str(word) for word in words]) + '\n').encode())
        def read(name):
            try:
                with open(home + '/' + name) as file: return file.read().split()
            except FileNotFoundError:
                return None

        vault = socket.socket(fileno=3) if 'HEARTH_KEEPER_PID' in os.environ else None
        ending = False
        def end(*ignored):
            global ending
            ending = True
        signal.signal(signal.SIGTERM, end)
        os.makedirs(home + '/run', exist_ok=True)
        path = home + '/run/vault.sock'
        if os.path.exists(path): os.unlink(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        listener.listen(8)

        def check_home():
            """Nothing outlives its test."""
            if not os.path.exists(home) and not os.path.exists(home + '.away'): os._exit(1)

        def pack(type, label=(0, 0, 0, 0), a=0, b=0, c=0):
            return struct.pack(FORM, type, 0, *label, a, b, c)
        def send(data, fds=()):
            vault.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])
        def next_packet():
            while True:
                try:
                    data, fds, flags, _ = socket.recv_fds(vault, SIZE + 1, 2)
                    break
                except ConnectionResetError:
                    pass  # the keeper died with packets unread; told once
            if not data: return None, None
            return struct.unpack(FORM, data), fds
        answers = True
        def receive():
            """The next packet that is no question for a sign of life."""
            global ending
            while True:
                packet, fds = next_packet()
                if packet is None: return None, None
                if packet[0] == PING:
                    if answers: send(pack(PONG, a=packet[6]))
                elif packet[0] == EXIT and not asked:
                    tell('unasked', packet[6], packet[7], packet[8])
                else:
                    return packet, fds
        asked = False
        def answer():
            packet, fds = receive()
            if packet[0] == ACK: return 'ack %d' % packet[6]
            if packet[0] == NACK: return 'nack %d %d' % (packet[6], packet[7])
            return 'packet %d' % packet[0]
        def memory(text):
            fd = os.memfd_create('deposit')
            os.write(fd, text.encode())
            return fd
        def start_time(pid):
            with open('/proc/%d/stat' % pid) as file: return file.read().rsplit(')', 1)[1].split()[19]

        def serve():
            global vault
            while True:
                check_home()
                if ending and vault:
                    send(pack(STAND_DOWN))
                    tell('stand-down', answer())
                    sys.exit(9)
                readable = [listener] + ([vault] if vault else [])
                for source in select.select(readable, [], [], 0.02)[0]:
                    if source is listener:
                        guest = listener.accept()[0]
                        if vault:
                            guest.send(pack(REFUSED))
                            guest.close()
                            tell('refused')
                            continue
                        vault = guest
                        send(pack(HELLO, a=os.getpid(), b=1))
                        packet = receive()[0]
                        tell('attached', packet[0], packet[6])
                    elif vault:
                        packet, fds = next_packet()
                        if packet is None:
                            vault.close()
                            vault = None
                            tell('lost')
                        elif packet[0] == PING:
                            send(pack(PONG, a=packet[6]))
                            tell('pinged')
                        elif packet[0] == EXIT:
                            tell('unasked', packet[6], packet[7], packet[8])

        tell('start', os.getpid(), start_time(os.getpid()))
        for word in read('plan.%d' % number) or read('plan'):
            step, _, value = word.partition(':')
            if step == 'ready':
                send(pack(READY))
                tell('ready')
            elif step == 'deposit':
                kind, id, text = value.split(',')
                send(pack(DEPOSIT, (int(kind), int(id), 3, 4)), [memory(text)])
                tell('deposit', answer())
            elif step == 'counts':
                send(pack(19, (0, 0, 0, 0), *[int(number) for number in value.split(',')]))
            elif step == 'silent-deposit':
                send(pack(DEPOSIT, (1, 99, 0, 0)), [memory(value)])
            elif step == 'drop':
                kind, id = value.split(',')
                send(pack(DROP, (int(kind), int(id), 3, 4)))
                tell('drop', answer())
            elif step == 'list':
                send(pack(LIST))
                while True:
                    packet, fds = receive()
                    if packet[0] == END: break
                    tell('item', *packet[2:6], os.pread(fds[0], 100, 0).decode())
                    os.close(fds[0])
                tell('listed', packet[6])
            elif step == 'exits':
                send(pack(EXITS))
                asked = True
                while True:
                    packet, fds = receive()
                    if packet[0] == END: break
                    tell('exit', packet[6], packet[7], packet[8])
                asked = False
                tell('told', packet[6])
            elif step == 'app':
                pid = os.fork()
                if pid == 0:
                    os.setsid()
                    vault.close()
                    listener.close()
                    os.close(directory)
                    while read('go') is None:
                        check_home()
                        time.sleep(0.01)
                    os._exit(int(value))
                tell('app', pid, start_time(pid))
            elif step == 'malformed':
                for data, fds in [(b'x', []), (b'\x03\0\0\0', [1]), (pack(LIST) + b'x' * 1000, []),
                                  (pack(77), [1]), (pack(DEPOSIT), []), (pack(DEPOSIT, (999, 0, 0, 0)), [1]),
                                  (pack(WELCOME), [1, 2])]:
                    send(data, fds)
                    tell('malformed', answer())
            elif step == 'fill':
                for index in range(int(value)):
                    send(pack(DEPOSIT, (2, index, 0, 0)), [directory])
                    result = answer()
                    if not result.startswith('ack'): break
                tell('filled', index + (result == 'ack 3'), result)
            elif step == 'squeeze':
                keeper = int(os.environ['HEARTH_KEEPER_PID'])
                hard = resource.prlimit(keeper, resource.RLIMIT_NOFILE)[1]
                resource.prlimit(keeper, resource.RLIMIT_NOFILE, (int(value), hard))
            elif step == 'slow-list':
                # Asked for everything, then not reading: the keeper must go on living.
                send(pack(LIST))
                tell('asked')
                while read('go') is None:
                    check_home()
                    time.sleep(0.01)
                count = 0
                while True:
                    packet, fds = receive()
                    if packet[0] == END: break
                    count += 1
                    os.close(fds[0])
                tell('slowly', count, packet[6])
            elif step == 'descriptors':
                tell('descriptors', *sorted(fd for fd in os.listdir('/proc/self/fd') if int(fd) <= 3))
                tell('limit', resource.getrlimit(resource.RLIMIT_NOFILE)[0])
                with open('/proc/self/status') as file:
                    tell('masks', *[line.split()[1] for line in file if line[:6] in ('SigBlk', 'SigIgn')])
            elif step == 'close':
                vault.close()
                vault = None
            elif step == 'crash':
                os.kill(os.getpid(), signal.SIGKILL)
            elif step == 'hang':
                os.kill(os.getpid(), signal.SIGSTOP)
            elif step == 'exit':
                os._exit(int(value))
            elif step == 'serve':
                serve()
        """#
}
