//! Words of the stored secrets and of the change of their key.

super::texts! {
    TITLE: "Stored secrets", "已加密存储的机密";
    ALL_CURRENT: "Everything is sealed with the current key.", "全部使用当前密钥加密。";
    FORMER_NEEDED: "Some secrets are still sealed with a former key. Keep ENCRYPTION_SECRET_PREVIOUS until they are not.", "部分机密仍使用旧密钥加密，在此之前请保留 ENCRYPTION_SECRET_PREVIOUS。";
    FORMER_FREE: "Everything is sealed with the current key: ENCRYPTION_SECRET_PREVIOUS can be taken out.", "全部使用当前密钥加密，可以移除 ENCRYPTION_SECRET_PREVIOUS。";
    UNKNOWN: "Some secrets are sealed with a key that is not configured. They cannot be opened; enter them again.", "部分机密所用的密钥未配置，无法解密，请重新填写。";
    RUNNING: "Secrets are being sealed with the current key. Requests go on meanwhile.", "正在用当前密钥重新加密，不影响请求。";
    STOPPED: "It stopped before its end. Begin again: it goes on with what is left.", "重新加密中途停止。再次启动即可从剩余部分继续。";
    KIND: "Kind", "类别";
    TOTAL: "Stored", "总数";
    CURRENT: "Current key", "当前密钥";
    FORMER: "Former key", "旧密钥";
    OTHER: "Unknown key", "未知密钥";
    KEY: "Key", "密钥";
    FORMER_KEYS: "Former keys", "旧密钥";
    PROGRESS: "Progress", "进度";
    RESEALED: "sealed anew", "已重新加密";
    UNREADABLE: "cannot be opened", "无法解密";
    ROTATE: "Seal anew", "重新加密";
    DONE: "Sealing everything with the current key has begun. How far it is stands under “Stored secrets”.", "已开始用当前密钥重新加密，进度见“已加密存储的机密”。";
    K_CREDENTIAL: "Secrets of credentials", "凭证机密";
    K_CREDENTIAL_PROXY: "Proxies of credentials", "凭证代理地址";
    K_PROVIDER_PROXY: "Proxies of providers", "供应商代理地址";
    K_VENDOR: "OAuth clients", "OAuth 客户端密钥";
    K_SIGN_IN: "Sign-ins under way", "进行中的登录";
    K_INSTALLATION: "This installation", "本系统";
}
