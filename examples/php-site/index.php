<?php
// A site for PHP's built-in server: php -S 127.0.0.1:PORT index.php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

if ($path === '/health') {
    header('Content-Type: application/json');
    echo json_encode(['ok' => true, 'pid' => getmypid()]), "\n";
    return;
}
// Goes to standard error, so to NAME-error.log.
error_log("asked for $path");
header('Content-Type: text/plain');
echo 'Hello from PHP ', PHP_VERSION, ', pid ', getmypid(), "\n";
