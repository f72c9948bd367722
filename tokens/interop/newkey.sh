echo "2026-b:$(openssl rand -base64 32)"
