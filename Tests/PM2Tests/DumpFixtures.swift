/// Dumps as PM2 writes them, shortened: what its versions do differently is all there.
enum DumpFixtures {
    /// PM2 7: a cluster of two, a stopped Python app, a binary. Variables stand in `env` and again beside it.
    static let seven = #"""
        [
          {
            "namespace": "default", "name": "api", "autorestart": true, "autostart": true, "treekill": true,
            "kill_retry_time": 100, "vizion": true, "pmx": true, "automation": true, "windowsHide": true,
            "instance_var": "NODE_APP_INSTANCE", "watch": false, "ignore_watch": ["node_modules", "logs"],
            "merge_logs": false, "max_memory_restart": 314572800, "cron_restart": "0 3 * * *", "kill_timeout": 5000,
            "wait_ready": true, "listen_timeout": 8000, "log_date_format": "YYYY-MM-DDTHH:mm:ss", "time": true,
            "env": {"PATH": "/usr/bin", "HOME": "/home/deploy", "NODE_ENV": "production", "PORT": 3000,
              "PM2_HOME": "/home/deploy/.pm2", "PM2_USAGE": "CLI", "api": {}, "unique_id": "u-1", "EMPTY": ""},
            "env_staging": {"NODE_ENV": "staging"},
            "exec_mode": "cluster_mode", "node_args": ["--max-old-space-size=200"], "args": ["serve", "--x=1 2"],
            "pm_exec_path": "/srv/api/dist/server.js", "pm_cwd": "/srv/api", "exec_interpreter": "node",
            "pm_out_log_path": "/home/deploy/.pm2/logs/api-out-1.log",
            "pm_err_log_path": "/home/deploy/.pm2/logs/api-error-1.log",
            "pm_pid_path": "/home/deploy/.pm2/pids/api-1.pid", "km_link": false, "vizion_running": false,
            "NODE_APP_INSTANCE": 1, "PATH": "/usr/bin", "HOME": "/home/deploy", "NODE_ENV": "production", "PORT": 3000,
            "PM2_HOME": "/home/deploy/.pm2", "PM2_USAGE": "CLI", "api": {}, "unique_id": "u-1", "EMPTY": "",
            "OLD_VARIABLE": "only here", "status": "online", "pm_uptime": 1700000000000,
            "axm_actions": [{"action_name": "km:heapdump"}], "axm_monitor": {"Heap": {"value": "1"}},
            "axm_options": {"error": true}, "axm_dynamic": {}, "created_at": 1699999999000, "restart_time": 7,
            "unstable_restarts": 0, "version": "1.0.0", "node_version": "20.1.0", "exit_code": 0,
            "versioning": {"type": "git", "url": "x"}, "_pm2_version": "7.0.3", "_tree_pids": [1, 2]
          },
          {
            "name": "worker", "namespace": "jobs", "exec_mode": "fork_mode", "args": ["-u", "worker.py"],
            "node_args": [], "pm_exec_path": "/srv/worker/worker.py", "pm_cwd": "/srv/worker",
            "exec_interpreter": "python3", "merge_logs": true, "treekill": false, "autorestart": false,
            "pm_out_log_path": "/var/log/worker-3.log", "pm_err_log_path": "/dev/null",
            "pm_pid_path": "/run/worker-2.pid", "instance_var": "NUMBER", "NUMBER": 2, "status": "stopped",
            "env": {"HOME": "/root"}, "HOME": "/root", "stop_exit_codes": 0, "uid": 0, "gid": "staff",
            "restart_time": 15, "unstable_restarts": 0, "created_at": null
          },
          {
            "name": "proxy", "exec_mode": "fork_mode", "pm_exec_path": "/usr/local/bin/proxy", "pm_cwd": "/",
            "exec_interpreter": "none", "args": [], "status": "errored", "env": {}, "merge_logs": true,
            "pm_out_log_path": "/home/deploy/.pm2/logs/proxy-out.log",
            "pm_err_log_path": "/home/deploy/.pm2/logs/proxy-error.log",
            "pm_pid_path": "/home/deploy/.pm2/pids/proxy-9.pid", "exp_backoff_restart_delay": 100,
            "stop_exit_codes": ["0", 143], "min_uptime": 5000, "watch": ["./src", "/etc/proxy"], "watch_delay": 500
          }
        ]
        """#

    /// PM2 5 and older: words as strings, null, no `env`, no interpreter, no `instances`.
    static let five = #"""
        [{"name":"legacy","exec_mode":"fork","pm_exec_path":"/srv/legacy/app.js","pm_cwd":"/srv/legacy",
        "args":"--name \"two words\" -v","node_args":null,"status":"online","PATH":"/bin","NODE_ENV":"production",
        "DEBUG":true,"PORT":8080,"NODE_APP_INSTANCE":0,"restart_time":3,"axm_actions":[],"axm_monitor":{},
        "vizion_runing":false,"pm_uptime":1,"created_at":2,"unstable_restart":0,"max_memory_restart":"300M",
        "cron_restart":0,"min_uptime":"10s","stop_exit_codes":"1, 2","instances":4,"watch":true,
        "pm_out_log_path":"/srv/legacy/out-0.log","pm_err_log_path":"/srv/legacy/err.txt"},
        {"name":123,"exec_mode":"cluster","pm_exec_path":"/srv/n","node_args":"--harmony --inspect","args":null,
        "exec_interpreter":"none","status":"waiting restart","env":null}]
        """#
}
