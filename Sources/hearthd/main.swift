import Daemon

#if canImport(Glibc)
    import Glibc
#endif

exit(Hearthd.main(arguments: CommandLine.arguments))
