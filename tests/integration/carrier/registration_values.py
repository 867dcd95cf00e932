"""Filled forms for tests, after the seeds' examples."""

TOLL_FREE = {
    "companyInfo.companyName": "Example Corp",
    "companyInfo.website": "https://www.example.com",
    "companyInfo.address1": "1 Main Street",
    "companyInfo.city": "Seattle",
    "companyInfo.state": "WA",
    "companyInfo.zipCode": "98101",
    "companyInfo.isoCountryCode": "US",
    "contactInfo.firstName": "Jane",
    "contactInfo.lastName": "Doe",
    "contactInfo.supportEmail": "jane.doe@example.com",
    "contactInfo.supportPhoneNumber": "+12065550142",
    "messagingUseCase.monthlyMessageVolume": "10,000",
    "messagingUseCase.useCaseCategory": "One-time passcodes",
    "messagingUseCase.useCaseDetails": "Example Corp sends one-time passcodes to customers who sign in.",
    "messagingUseCase.optInDescription": (
        "Customers of Example Corp enter their number on https://www.example.com/signup to receive sign-in "
        "codes and tick an empty box that is not pre-selected: One message per login. Message and data rates "
        "may apply. Reply HELP for help, or call 206-555-0142; reply STOP to opt out. "
        "Terms: https://www.example.com/terms Privacy policy: https://www.example.com/privacy"
    ),
    "messageSamples.messageSample1": "Example Corp: your sign-in code is [code]. It expires in 10 minutes.",
}
JORDAN = {
    "senderIdInfo.senderId": "EXAMPLE",
    "companyInfo.companyName": "Example Corp",
    "companyInfo.companyId": "123456789",
    "companyInfo.website": "https://www.example.com",
    "companyInfo.area": "Technology",
    "addressInfo.address1": "1 Main Street",
    "addressInfo.city": "Seattle",
    "addressInfo.isoCountryCode": "US",
    "contactInfo.email": "jane.doe@example.com",
    "contactInfo.phoneNumber": "+12065550100",
    "messagingUseCase.useCaseCategory": "One-time passcodes",
    "messagingUseCase.useCaseDescription": "Example Corp sends one-time passcodes to customers who sign in.",
    "messagingUseCase.monthlyMessageVolume": "10,000",
    "messagingUseCase.optInDescription": (
        "Customers of Example Corp enter their number on https://www.example.com/signup to receive sign-in "
        "codes and tick an empty box that is not pre-selected: One message per login. Message and data rates "
        "may apply. Write to jane.doe@example.com for help or to opt out. "
        "Terms: https://www.example.com/terms Privacy policy: https://www.example.com/privacy"
    ),
    "messageSamples.messageSample1": "Example Corp: your sign-in code is [code]. It expires in 10 minutes.",
    "messagingUseCase.transactionalOnly": "Yes",
}
