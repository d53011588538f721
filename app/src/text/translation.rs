//! Words of translation between dialects: fields of providers and keys, and what a request lost on its way.

super::texts! {
    SECTION: "Translation", "协议转换";
    SECTION_SUMMARY: "dialects, callers of other dialects", "协议、其他协议的调用方";
    DIALECTS: "Speaks", "支持的协议";
    DIALECTS_HELP: "anthropic, openai-chat, openai-responses, gemini; the one to translate into comes first. Empty: what its kind speaks.", "anthropic、openai-chat、openai-responses、gemini；转换时优先使用排在最前的。留空：按其类型。";
    TRANSLATE: "Answers callers of other dialects", "为其他协议的调用方服务";
    TRANSLATE_HELP: "Default: on. Only for models that its list or its redirects name, and among equals of tier and priority after those that need no translation.", "默认：启用。仅限其模型列表或重定向中指明的模型；同层级同优先级时，排在无需转换者之后。";
    SPEAKS: "Speaks", "支持协议：";
    OTHERS_ON: "answers callers of other dialects for the models that it names", "对其列出的模型，也为其他协议的调用方服务";
    OTHERS_UNNAMED: "would answer callers of other dialects, but names no model: fill in its model list or a redirect", "可为其他协议的调用方服务，但未列出任何模型：请填写模型列表或重定向";
    OTHERS_OFF: "does not answer callers of other dialects", "不为其他协议的调用方服务";
    MODE: "Models of other dialects", "其他协议的模型";
    MODE_HELP: "Whether they may answer this key. A request can ask for less with the header x-tollgate-translation.", "是否允许它们响应此密钥的请求。单个请求可用请求头 x-tollgate-translation 收紧。";
    MODE_ALLOW: "Allowed; what is lost is listed", "允许，并列出丢失的内容";
    MODE_STRICT: "Strict: refused if something would be lost that may change the answer", "严格：若丢失内容可能影响回答则拒绝";
    MODE_OFF: "Never", "不允许";
    REACHES: "what it reaches", "可用模型";
    SENT_AS: "translated to", "已转换为";
    NOTHING_LOST: "nothing was lost", "没有丢失内容";
    LOST: "fields could not be carried over", "个字段无法转换";
    LOST_CAPTION: "What could not be carried over", "无法转换的内容";
    FIELD: "Field", "字段";
    WHAT: "What became of it", "处理结果";
    WEIGHT: "Weight", "影响";
    MAY_CHANGE: "may change the answer", "可能影响回答";
    CHANGES_NOTHING: "does not change the answer", "不影响回答";
    MORE: "more were not kept", "个未记录";
    TRANSLATED: "translated", "转换";
    TRANSLATED_HELP: "The request would be translated for it; among equals, those that need no translation come first.", "需要转换后才能发送；同级中无需转换者优先。";
    COUNTED: "tokens counted by Tollgate, nothing was sent", "由 Tollgate 计算的 token 数，未发送请求";
    R_DIALECT: "speaks another dialect, and translation is off or it does not name the model", "协议不同，且未允许转换或未列出此模型";
}
