/** How many of each kind of thing an instance holds: sockets by whom they lead to, other files, timers, calls. */
export type Holdings = Readonly<Record<string, number>>;
